"""One table model, and what is made of it: terminal, Markdown, JSON, CSV, files of a leaderboard."""
