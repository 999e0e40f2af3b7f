"""Routers: from a query to a decision and the plan that carries it out."""
