"""Traces of tasks over all services, by OpenTelemetry; nothing of it is loaded where none is asked.

Its own variables switch it on and say where spans go: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or
``…_TRACES_ENDPOINT``), ``OTEL_TRACES_SAMPLER``, ``OTEL_SERVICE_NAME``, ``OTEL_SDK_DISABLED`` and
their like. Contexts are handed on as the text of W3C's ``traceparent``, which is what events carry:
a span's parent may have ended in another process, hours ago.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, SpanContext

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LAST_SPANS_MS = 1000
_SAMPLED = "01"

Attributes = Mapping[str, str | int | float | bool]


class Kind(Enum):
    """What a span is to others, as OpenTelemetry names it."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class _Process:
    """The one provider of this process, while there is one."""

    provider: TracerProvider | None = None


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether somebody said where spans go, and did not switch OpenTelemetry off."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not disabled and any(environment.get(name, "").strip() for name in _ENDPOINTS)


@contextmanager
def traced(service: str) -> Iterator[None]:
    """Export spans of this process while the context lasts, if the environment asks for it."""
    if not is_wanted(os.environ):
        yield
        return
    # Half a second of imports.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME") or f"darkroom-{service}"
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: name}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Process.provider = provider
    try:
        yield
    finally:
        # An end takes no longer for a collector that is away: its spans are lost.
        provider.force_flush(_LAST_SPANS_MS)
        _Process.provider = None


def provider() -> TracerProvider | None:
    """What makes spans in this process; None while nothing is traced."""
    return _Process.provider


def is_traced(traceparent: str | None) -> bool:
    """Whether spans that belong to it are to be made here."""
    return (
        _Process.provider is not None and traceparent is not None and traceparent.endswith(_SAMPLED)
    )


@contextmanager
def span(
    name: str,
    kind: Kind,
    parent: str | None,
    *,
    links: Iterable[str] = (),
    attributes: Attributes | None = None,
) -> Iterator[str | None]:
    """A span around what happens meanwhile; gives its ``traceparent``, and takes what is raised.

    While nothing is traced it is ``parent`` that is given.
    """
    if _Process.provider is None:
        yield parent
        return
    from opentelemetry import trace

    with _tracer(_Process.provider).start_as_current_span(
        name,
        _context(parent),
        trace.SpanKind[kind.value],
        dict(attributes or {}),
        _links(links),
    ) as made:
        yield _written(made.get_span_context())


def tell(
    name: str,
    kind: Kind,
    parent: str | None,
    began_ns: int,
    ended_ns: int,
    *,
    links: Iterable[str] = (),
    attributes: Attributes | None = None,
) -> str | None:
    """A span of what has happened already, in nanoseconds since the epoch; its ``traceparent``."""
    if _Process.provider is None:
        return None
    from opentelemetry import trace

    made = _tracer(_Process.provider).start_span(
        name,
        _context(parent),
        trace.SpanKind[kind.value],
        dict(attributes or {}),
        _links(links),
        began_ns,
    )
    made.end(ended_ns)
    return _written(made.get_span_context())


def describe(name: str, attributes: Attributes, *, failed: bool = False) -> None:
    """What is known only now of the span in which this runs."""
    if _Process.provider is None:
        return
    from opentelemetry import trace

    running = trace.get_current_span()
    running.update_name(name)
    running.set_attributes(dict(attributes))
    if failed:
        running.set_status(trace.StatusCode.ERROR)


def current_traceparent() -> str | None:
    """That of the span in which this runs, made here or by a library; None outside of any."""
    if _Process.provider is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return _written(context) if context.is_valid else None


@cache
def _tracer(provider: TracerProvider) -> Any:
    return provider.get_tracer("darkroom")


def _context(traceparent: str | None) -> Any:
    """The context of the parent; an empty one for who has none, or an unreadable one."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {} if traceparent is None else {"traceparent": traceparent}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _links(traceparents: Iterable[str]) -> list[Link]:
    from opentelemetry import trace

    contexts = (trace.get_current_span(_context(each)).get_span_context() for each in traceparents)
    return [trace.Link(each) for each in contexts if each.is_valid]


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
