"""The rooms of the app, each with its own addresses."""

from review_app.routes import account, flagged, governing, help_pages, review, review_more, rooms

ROOMS = (
    account.router,
    review.router,
    review_more.router,
    flagged.router,
    rooms.router,
    governing.router,
    help_pages.router,
)
