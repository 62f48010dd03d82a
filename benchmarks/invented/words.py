"""The words that the invented world is made of, and how often each kind of thing comes."""

from __future__ import annotations


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split(","))


# The invented words. None of them names a real body, person or place.
PLACE_HEADS = _listed("Ald,Bram,Cald,Dun,Eld,Farn,Glen,Hart,Ing,Kel,Lang,Mar,Nor,Oak,Pen,Quar,Rav,Sel,Thorn,Ul,Wes,Yar")
PLACE_TAILS = _listed(
    "brook,by,combe,dale,fell,ford,garth,ham,holm,hurst,ley,mere,moor,ness,stead,thwaite,ton,wick,worth"
)
PLACE_KINDS = _listed(",Upper ,Nether ,Great ,Little ,East ,West ")
FIRST_NAMES = _listed(
    "Ada,Bilal,Cora,Dev,Edda,Faye,Gus,Hana,Ivo,Jonas,Kit,Leila,Moses,Nell,Omar,Pia,Rhys,Sana,Tam,Una,Viggo,Wren,Zora"
)
LAST_NAMES = _listed(
    "Abara,Birch,Clough,Dray,Ekwall,Finch,Garrow,Hale,Imrie,Jarvey,Keld,Lomas,Marr,Nisbet,Orde,Pell,Quill,Rook,"
    "Salter,Thane,Umber,Vane,Wray,Yate,Zeller"
)
ROLES = _listed("Chair,Chief executive,Clinical lead,Convener,Director of finance,Leader,Minister,Spokesperson")
BODIES = (
    ("Council", "local-government-association"),
    ("Health Board", "health-service"),
    ("Audit Office", "public-audit-body"),
    ("Care Partnership", "integration-partnership"),
    ("Carers' League", "third-sector-body"),
    ("Institute for Care Research", "research-unit"),
    ("Assembly", "government"),
    ("Ministers' Forum on Care", "ministerial-group"),
    ("Gazette", "news-agency"),
)
PROGRAMMES = _listed(
    "care at home plan,joint timetable,shared records project,night nursing scheme,family hub pilot,falls programme,"
    "single front door,carers' charter,rural outreach plan,discharge compact,telecare trial,link worker scheme,"
    "pooled budget,training academy,housing with care plan,early help offer,palliative network,volunteer bank"
)
SERVICES = _listed(
    "home visits,day centres,falls clinics,respite stays,hospital discharge,youth support,night care,memory clinics,"
    "carers' breaks,community meals,home adaptations,minor injuries,school nursing,stroke rehabilitation,hospices,"
    "crisis lines,addiction services,foot care,foster care,supported housing,eye clinics,transport to care,"
    "advice desks,diabetes groups,wound care,speech therapy,winter beds,out-of-hours care,sheltered work,hearing aids"
)
THINGS = _listed(
    "budgets,staffing plans,data rules,job descriptions,targets,contracts,case records,premises,handovers,rotas,"
    "audits,registers,referral forms,travel rules,pay scales,waiting lists,complaint routes,training days,"
    "board papers,eligibility rules,purchase orders,care plans,telephone systems,risk logs,fee levels,leases,"
    "shift patterns,consent forms,reporting lines,reserve funds"
)
BAD = _listed(
    "short-term,unclear,separate,late,scarce,rigid,untested,conflicting,outdated,thin,uneven,unspoken,lapsed,costly,"
    "fragile,hidden,overlapping,unfunded,narrow,slow,unsigned,patchy,tangled,mistrusted"
)
GOOD = _listed(
    "shared,stable,early,open,simple,trusted,pooled,local,tested,joint,long-term,plain,flexible,public,common,"
    "well-kept,timely,agreed,visible,balanced,steady,paired,lasting,modest"
)
CHANGES = _listed(
    "cost more than planned,reach fewer people,have improved,differ by district,have doubled,are seldom reviewed,"
    "run behind,are valued by families,have not changed,cover half the need,rest on goodwill,are back on course,"
    "save bed days,depend on one team,are easier to find,have grown unevenly"
)
VERBS = _listed(
    "Agree,Publish,Pool,Review,Simplify,Fund,Merge,Test,Renew,Share,Align,Protect,Extend,Inspect,Replace,Settle"
)
OUTCOMES = _listed(
    "Shorter waits,Fewer falls,More time at home,Safer discharge,Less paperwork,Steadier teams,Fairer charges,"
    "Earlier help,Fewer readmissions,Better sleep,Stronger families,Clearer advice,Lower costs,Wider choice"
)
GROUPS = _listed(
    "Unpaid carers,Home care staff,Ward nurses,Councillors,Tenants,Older people,Young adults,Family doctors,"
    "Care home owners,Volunteers,Board members,Social workers,Taxpayers,Patients,Therapists,Housing officers,"
    "Pharmacists,Trade unions,Managers,Parents"
)
WHERE = _listed("in towns,in villages,on the coast,near the border")
STANCES = ("welcomes", "supportive", "mixed", "cautionary", "critical")
STATUSES = ("open", "in-progress", "implemented", "closed-not-implemented", "superseded", "status-unknown")
REPORT_TYPES = ("audit-report", "review-report", "evaluation-study")
TIMEFRAMES = ("P6M", "P1Y", "P1Y6M", "P2Y", "P3Y", "P90D")

# Of every report at least these; the rest by weight.
BASE_KINDS = (
    "keymessage",
    "finding",
    "barrier",
    "barrier",
    "enabler",
    "recommendation",
    "recommendation",
    "position",
    "commitment",
)
KINDS = ("keymessage", "finding", "barrier", "enabler", "recommendation", "position", "commitment")
KIND_WEIGHTS = (6, 24, 24, 12, 24, 3, 7)
FEWEST, MOST = 10, 60
PER_ARTICLE = 7
CLASSES = dict(
    zip(KINDS, ("KeyMessage", "Finding", "Barrier", "Enabler", "Recommendation", "Position", "Commitment"), strict=True)
)
