"""What to do: recommendations that follow from the evidence of a base, and none without."""
