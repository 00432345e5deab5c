"""Published studies beside a run: figures as data with their source, and a comparison with its limits."""

from alignsuite.reports.studies.beside import Beside, Table, beside
from alignsuite.reports.studies.published import Figure, Study, published
from alignsuite.reports.studies.tables import as_json, as_markdown, as_text

__all__ = ["Beside", "Figure", "Study", "Table", "as_json", "as_markdown", "as_text", "beside", "published"]
