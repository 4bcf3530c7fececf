"""`backoffice.inert` for templates."""

from django import template

from backoffice.inert import visible

register = template.Library()
register.filter("visible", visible)
