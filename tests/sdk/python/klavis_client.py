"""The published Klavis client (PyPI klavis), the sync one, against a running server."""

import os

import klavis_story
from klavis import Klavis

klavis_story.tell(lambda key: Klavis(base_url=os.environ["KEYWAY_URL"], api_key=key))
