"""What the site needs beside Sphinx: docstrings in Markdown, generated pages, and its checks."""
