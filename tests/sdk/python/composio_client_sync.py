"""The published Composio client (PyPI composio-client), the sync one, against a running server."""

import os

import composio_story
from composio_client import Composio

composio_story.tell(
    lambda key: Composio(
        base_url=os.environ["KEYWAY_URL"], api_key=key, max_retries=0, _strict_response_validation=True
    )
)
