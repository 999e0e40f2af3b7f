"""Stepping: what a router does between calls: which models are worth asking, and when to stop."""
