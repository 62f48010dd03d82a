"""The questions of queries/: what a person gives becomes terms, and the rows of the answer cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyoxigraph import Literal, NamedNode

from kg.errors import BadParameter, UnknownName
from kg.library import Parameter, Question, literal_of
from kg.lookup.naming import Names, listed
from kg.model import Answer
from kg.release.opened import Release
from kg.release.wording import cell_of


class Questions:
    """The questions that can be asked of one release by name."""

    def __init__(self, release: Release, names: Names, max_rows: int) -> None:
        self._release = release
        self._names = names
        self._max_rows = max_rows

    def ask(self, name: str, parameters: Mapping[str, Sequence[str]]) -> Answer:
        """Returns the answer to a question of queries/.

        Args:
            name: the name of its file.
            parameters: for each parameter the texts given for it.

        Raises:
            UnknownName: there is no such question, or no entity of that name.
            AmbiguousName: a label names several entities.
            BadParameter: a parameter is missing, unknown, given twice or of the wrong type.
        """
        query, shown = self.bound(name, parameters)
        return self.answer(name, shown, query)

    def bound(self, name: str, parameters: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, object]]:
        """Returns the query that a question comes to, and its parameters as they are shown.

        Raises:
            As `ask`.
        """
        question = self._question(name)
        known = {parameter.name for parameter in question.parameters}
        for given in parameters:
            if given not in known:
                raise BadParameter(f"{given}: {name} has no such parameter; it has {listed(known)}.")
        terms = {p.name: self._terms(p, parameters.get(p.name, ())) for p in question.parameters}
        query = question.bound({name: [[term] for term in values] for name, values in terms.items()})
        return query, {p.name: _shown(p, terms[p.name]) for p in question.parameters if terms[p.name]}

    def _question(self, name: str) -> Question:
        for question in self._release.library.listed:
            if question.name == name:
                return question
        raise UnknownName(f"There is no question {name!r}; /api/queries and `kg ask` list them.")

    def _terms(self, parameter: Parameter, texts: Sequence[str]) -> list[NamedNode | Literal]:
        if not texts and parameter.mode == "required":
            example = ", ".join(parameter.example)
            raise BadParameter(f"{parameter.name}: is missing; give a {parameter.type}, such as {example}.")
        if len(texts) > 1 and parameter.mode != "many":
            raise BadParameter(f"{parameter.name}: takes one value; {len(texts)} were given.")
        return [self._term(parameter, text) for text in texts]

    def _term(self, parameter: Parameter, text: str) -> NamedNode | Literal:
        if not parameter.is_entity:
            return literal_of(parameter, text)
        try:
            return NamedNode(self._names.entity(text, parameter.type, parameter.name).iri)
        except ValueError as error:
            raise BadParameter(f"{parameter.name}: {text!r} is no IRI: {error}") from error

    def answer(self, name: str, parameters: Mapping[str, object], query: str) -> Answer:
        """Returns the rows of a SELECT with what their things are called."""
        found = self._release.source.select(query, self._max_rows)
        iris = {term.value for row in found.rows for term in row if isinstance(term, NamedNode)}
        entities = self._release.search.entities(iris)
        rows = tuple(
            {
                column: cell_of(term, entities)
                for column, term in zip(found.variables, row, strict=True)
                if term is not None
            }
            for row in found.rows
        )
        return Answer(self._release.id, name, parameters, found.variables, rows, found.truncated, query)


def _shown(parameter: Parameter, terms: Sequence[NamedNode | Literal]) -> object:
    values = [term.value for term in terms]
    return values if parameter.mode == "many" else values[0]
