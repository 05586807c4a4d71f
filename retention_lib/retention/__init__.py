"""Were the customers kept: formulas, rates by period, cohorts, journey, segments, advice."""
