"""Where the server looks for custom actions."""

import small_actions  # noqa: F401
