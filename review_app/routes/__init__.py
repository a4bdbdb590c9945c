"""The rooms of the app, each with its own addresses."""

from review_app.routes import account, help_pages, review, review_more

ROOMS = (account.router, review.router, review_more.router, help_pages.router)
