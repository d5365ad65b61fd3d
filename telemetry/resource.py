"""Who speaks: the resource's attributes, as the OTEL_* variables give them."""

from __future__ import annotations

import socket

from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    OTELResourceDetector,
    Resource,
)

SERVICE = "fraud-handler"
ENVIRONMENT = "deployment.environment.name"


def build_resource(slot: int) -> Resource:
    """The instance is the place of the worker, not the process, so that series stay.

    OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are those of the process, as the SDK parses them.
    """
    given = OTELResourceDetector().detect().attributes
    place = given.get(SERVICE_INSTANCE_ID) or socket.gethostname()
    own = {
        SERVICE_NAME: str(given.get(SERVICE_NAME) or SERVICE),
        SERVICE_INSTANCE_ID: f"{place}-{slot}",
    }
    return Resource.create().merge(Resource(own))


def name_job(resource: Resource) -> str:
    """The label `job` that the store has of it: as otel-collector/config/base.yaml makes it."""
    parts = (
        resource.attributes.get(name) for name in (SERVICE_NAMESPACE, ENVIRONMENT, SERVICE_NAME)
    )
    return "/".join(str(part) for part in parts if part is not None)
