"""Policies: from estimates and constraints to a choice."""
