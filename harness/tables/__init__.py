"""The table model and its formats: terminal, Markdown, CSV, LaTeX and HTML."""
