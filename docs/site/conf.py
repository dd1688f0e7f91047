"""The site's settings. `python -m sphinx -W docs/site site` builds it."""

import logging
import sys
from pathlib import Path

import jaxintro
from jaxintro._engine.fragments import ASSETS

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the extension, and docs/sources.py

project = "jaxintro"
author = "The jaxintro founders"
project_copyright = "The jaxintro founders, MIT licence"
version = release = jaxintro.__version__

extensions = ["myst_nb", "course"]
exclude_patterns = ["record/*"]

# The lens's page runs in a kernel; the lessons run in this process, by the engine.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "attrs_inline", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "jaxintro"
html_static_path = [str(ASSETS), "static"]
html_css_files = ["page.css"]
html_js_files = ["page.js"]
html_favicon = "static/mark.svg"
html_logo = "static/mark.svg"
html_copy_source = False
html_use_index = False  # names.md is better
html_show_sourcelink = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-foreground-primary": "#1d2730",
        "color-foreground-secondary": "#55616b",
        "color-foreground-muted": "#5f6b75",
        "color-background-secondary": "#f7f8f8",
        "color-background-border": "#e1e5e8",
        "color-brand-primary": "#0a6b5d",
        "color-brand-content": "#0b5cad",
        "color-brand-visited": "#0b5cad",
    },
    "dark_css_variables": {
        "color-foreground-primary": "#dde3e8",
        "color-foreground-secondary": "#a4afb8",
        "color-foreground-muted": "#98a4ae",
        "color-background-primary": "#14171a",
        "color-background-secondary": "#191d20",
        "color-background-border": "#2d343a",
        "color-brand-primary": "#66d3bd",
        "color-brand-content": "#7db8f5",
        "color-brand-visited": "#7db8f5",
    },
}
logging.basicConfig(level=logging.WARNING)  # before the styles do so and ask for more
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
