"""Questions on the whole of a release: what blocks what, what is missing, disputed, new or fragile.

What SPARQL can say stands in `queries/*.rq`; here its rows become answers with basis and passages,
and here is what SPARQL cannot say: graphs with depth, cuts, ranks, and what falls with a passage.
docs/questions.md defines each question and shows it at work.
"""
