"""Where spans go: to OTEL_EXPORTER_OTLP_ENDPOINT, in batches, from each process that is started."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def start(*, service: str) -> None:
    """Begin to export spans as `service`; nothing without an endpoint.

    Raises ImproperlyConfigured where an endpoint is set and the packages are missing.
    """
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as exc:
        sentence = "OTEL_EXPORTER_OTLP_ENDPOINT is set: install requirements-otel.txt."
        raise ImproperlyConfigured(sentence) from exc
    provider = TracerProvider(resource=Resource({"service.name": service}))
    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
