"""A second computation of the figures, independent of the library; see README.md."""
