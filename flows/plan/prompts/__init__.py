"""In: a folder of Jinja templates, and the variables of a picture.
Out: the plain text of a prompt, or what is wrong with the template and where.
"""

from __future__ import annotations

from flows.plan.prompts.templates import Template, Templates
from flows.plan.prompts.words import product_words

__all__ = ["Template", "Templates", "product_words"]
