"""Plants the cases that the fraud rules should find, and those that only look like them."""

from synthetic_data.administration import planted_deaths, planted_discounts, planted_tenancies
from synthetic_data.administration.casebook import Casebook
from synthetic_data.administration.scene import FRAMES, Scene


def plant(scene: Scene, frames: FRAMES) -> FRAMES:
    """The frames with every kind of case planted, and the frame `planted` that tells the truth about them."""
    book = Casebook(scene, frames)
    planted_tenancies.sublets(book)
    planted_tenancies.transfers(book)
    planted_tenancies.two_tenancies(book)
    planted_tenancies.same_name(book)
    planted_tenancies.carers_elsewhere(book)
    planted_deaths.tenancies_of_the_dead(book)
    planted_deaths.discounts_of_the_dead(book)
    planted_deaths.executors(book)
    planted_deaths.namesakes(book)
    planted_discounts.children_just_18(book)
    planted_discounts.second_adults(book)
    planted_discounts.disregarded_adults(book)
    planted_discounts.adults_just_moved(book)
    return book.frames | {"planted": book.planted()}
