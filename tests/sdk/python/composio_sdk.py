"""The published Composio SDK (PyPI composio) against a running server."""

import composio_sdk_story

composio_sdk_story.tell()
