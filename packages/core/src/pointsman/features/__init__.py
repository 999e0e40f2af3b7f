"""Feature maps: queries in, a matrix out."""
