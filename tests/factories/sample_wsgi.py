"""The sample service as gunicorn imports it."""

from factories.sample_service import sample_app, settings_of_this_process
from igloo_common.settings import load_or_exit

app = sample_app(load_or_exit(settings_of_this_process))
