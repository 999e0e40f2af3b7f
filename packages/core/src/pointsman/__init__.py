"""Pointsman picks, for every request, the language model that should answer it."""
