"""Learning which language model each predictor of a program should use, from the program's own metric."""
