"""Invented names of a shop's goods and people: short word lists and how an item gets its title.

The same numbers give the same words; nothing here draws a random number.
"""

CATEGORIES = (
    *("kitchen", "garden", "stationery", "toys", "lighting", "textiles"),
    *("bathroom", "travel", "sports", "music", "workshop", "picnic"),
)
_NOUNS = {
    "kitchen": "kettle,teapot,ladle,mixing bowl,bread bin,pepper mill,cake stand,egg timer,jug,colander",
    "garden": "watering can,trowel,bird feeder,planter,lantern hook,rake,seed tin,wind chime,bench,hose reel",
    "stationery": "notebook,pen holder,letter tray,bookmark,desk pad,ruler,card box,stamp set,clip,globe",
    "toys": "train,spinning top,puzzle,kite,doll house,puppet,marble run,yo-yo,building set,rocking horse",
    "lighting": "lamp,lantern,candle stick,wall light,string lights,night light,torch,shade,sconce,beacon",
    "textiles": "cushion,throw,tea towel,apron,table runner,blanket,curtain,rug,napkin set,tote bag",
    "bathroom": "soap dish,towel rail,mirror,bath mat,brush holder,stool,basket,shelf,robe hook,tumbler",
    "travel": "suitcase,passport case,flask,wash bag,pillow,map case,rucksack,luggage tag,umbrella,purse",
    "sports": "skipping rope,racket,yoga mat,dumb-bell,whistle,water bottle,ball,headband,hoop,stopwatch",
    "music": "ukulele,tambourine,metronome,music stand,kazoo,drum,triangle,recorder,bell set,music box",
    "workshop": "tool box,hand saw,spirit level,tape measure,mallet,clamp,workbench,plane,vice,chisel set",
    "picnic": "hamper,cool box,chair,plate set,parasol,corkscrew,lunch tin,ground sheet,grill,cup set",
}
_MATERIALS = (
    *("Copper", "Oak", "Blue", "Striped", "Enamel", "Walnut", "Linen", "Brass"),
    *("Ivory", "Folding", "Vintage", "Green", "Woven", "Marble", "Little", "Silver"),
)
_BRANDS = (
    *("Alder & Finch", "Brightwater", "Corran", "Dovetail Lane", "Elm House", "Fernway"),
    *("Gull & Sons", "Harrow Mill", "Inkwell", "Juniper Yard", "Kestrel", "Larkspur"),
)
_USES = ("gift", "everyday", "classic", "new in", "handmade", "outdoor", "travel size")
AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
GENDERS = ("f", "m", "x")
LOCATIONS = ("GB", "DE", "FR", "NL", "ES", "SE")
INCOME_BANDS = ("low", "mid", "high")


def category_name(number: int) -> str:
    """Name a category; beyond the list, names are numbered.

    Examples
    --------
    >>> category_name(0), category_name(13)
    ('kitchen', 'garden-2')
    """
    round_number, index = divmod(number, len(CATEGORIES))
    return CATEGORIES[index] if round_number == 0 else f"{CATEGORIES[index]}-{round_number + 1}"


def item_title(category: int, place: int) -> str:
    """Give the title of the item at a place of a category, unique within the category.

    Examples
    --------
    >>> item_title(0, 0), item_title(0, 11), item_title(0, 160)
    ('Copper kettle', 'Vintage teapot', 'Copper kettle no. 2')
    """
    nouns = _NOUNS[CATEGORIES[category % len(CATEGORIES)]].split(",")
    series, place = divmod(place, len(nouns) * len(_MATERIALS))
    # 11 and 16 have no common divisor: no pair of words comes twice in a series.
    material = _MATERIALS[(place // len(nouns) * 11 + place % len(nouns) * 15) % len(_MATERIALS)]
    title = f"{material} {nouns[place % len(nouns)]}"
    return title if series == 0 else f"{title} no. {series + 1}"


def item_brand(category: int, place: int) -> str:
    """Give the brand of an item; a category has its own four."""
    return _BRANDS[(3 * category + (7 * place) % 4) % len(_BRANDS)]


def item_tags(category: int, place: int) -> tuple[str, str]:
    """Give the two tags of an item: its material and a use."""
    material = item_title(category, place).split()[0].lower()
    return material, _USES[(place * 5 + category) % len(_USES)]
