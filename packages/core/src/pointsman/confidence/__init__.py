"""Confidence: how likely the last response is good enough, told from the responses so far."""
