"""Published studies beside a run: the figures are data with their source, the comparison says where the two can't be compared."""

from alignsuite.reports.studies.beside import Beside, Table, beside
from alignsuite.reports.studies.published import Figure, Study, published
from alignsuite.reports.studies.tables import as_json, as_markdown, as_text

__all__ = ["Beside", "Figure", "Study", "Table", "as_json", "as_markdown", "as_text", "beside", "published"]
