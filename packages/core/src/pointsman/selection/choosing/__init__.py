"""How a router is chosen for a user's own outcomes, and how the choice is told."""
