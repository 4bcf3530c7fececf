"""What every answer under /api/ shares: error shape, request id, limits, strict JSON.

Reached only through the names in settings; no app imports it.
"""
