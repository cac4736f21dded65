"""The published Composio client (PyPI composio-client), the async one, against a running server."""

import os

import composio_story
from composio_client import AsyncComposio

composio_story.tell(
    lambda key: AsyncComposio(
        base_url=os.environ["KEYWAY_URL"], api_key=key, max_retries=0, _strict_response_validation=True
    )
)
