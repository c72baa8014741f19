"""How Sphinx builds the site: `make docs`."""

from __future__ import annotations

from cld_user_groups import __version__

project = "cld-user-groups"
author = "cld-user-groups"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_llm.txt",
    "tools.docs.extension",
]
exclude_patterns = ["conf.py"]

# Strict: `make docs` runs with --fail-on-warning, and every reference that leads nowhere is one.
nitpicky = True

# A language that Pygments does not know is shown as text.
suppress_warnings = ["misc.highlighting_failure"]

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 4
# Only pages of the site are links of the site.
myst_url_schemes = ["https", "http", "mailto"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {"EmulatorServer": "cld_user_groups.emulator.server.EmulatorServer"}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False
smartquotes = False  # they make one dash of the two of an option

html_theme = "furo"
html_title = f"cld-user-groups {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["copy.js", "moved.js"]
html_favicon = "_static/favicon.svg"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"footer_icons": []}
# Both come with Furo's own dependencies, and have the contrast that WCAG AA asks for.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

# llms.txt, and each page as Markdown beside its HTML.
llms_txt_description = (
    "A typed Python SDK and a command-line tool for the user groups of Cloudinary's Account "
    "Provisioning API."
)
llms_txt_full_build = True
llms_txt_nested_enabled = False
llms_txt_suppress_unknown_node_warnings = ["meta", "toctree"]
