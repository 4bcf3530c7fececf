"""`crm.inert` for templates."""

from django import template

from crm.inert import visible

register = template.Library()
register.filter("visible", visible)
