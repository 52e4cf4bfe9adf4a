"""A collector of traces: takes what OTLP/HTTP exporters send, as protobuf, and keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp


@dataclass(frozen=True)
class Span:
    """One span, its ids in hexadecimal; ``links`` are the ids of spans."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, object]
    links: tuple[str, ...]


@dataclass
class Collector:
    spans: list[Span] = field(default_factory=list)

    def app(self) -> ASGIApp:
        return Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    def of_trace(self, trace_id: str) -> list[Span]:
        return [each for each in self.spans if each.trace_id == trace_id]

    async def _take(self, request: Request) -> Response:
        told = ExportTraceServiceRequest.FromString(await request.body())
        for resource in told.resource_spans:
            of = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        service=of["service.name"],
                        name=each.name,
                        kind=type(each).SpanKind.Name(each.kind).removeprefix("SPAN_KIND_"),
                        trace_id=each.trace_id.hex(),
                        span_id=each.span_id.hex(),
                        parent_id=each.parent_span_id.hex(),
                        attributes={
                            one.key: getattr(one.value, one.value.WhichOneof("value"))
                            for one in each.attributes
                        },
                        links=tuple(link.span_id.hex() for link in each.links),
                    )
                    for each in scope.spans
                ]
        return Response(b"", media_type="application/x-protobuf")
