"""The matrix: the adapters' tests under every supported Python, with the oldest and the newest frameworks that are promised."""
