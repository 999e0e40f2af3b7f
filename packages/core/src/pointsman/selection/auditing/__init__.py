"""What an audit is made of: standings, ceiling, noise, trials and advice."""
