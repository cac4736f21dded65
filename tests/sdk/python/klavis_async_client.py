"""The published Klavis client (PyPI klavis), the async one, against a running server."""

import os

import klavis_story
from klavis import AsyncKlavis

klavis_story.tell(lambda key: AsyncKlavis(base_url=os.environ["KEYWAY_URL"], api_key=key))
