from django.http import HttpResponse


class PageCache:
    """Pages are the same for everybody, so each is rendered once."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.pages = {}

    def __call__(self, request):
        address = request.get_full_path()
        if address not in self.pages:
            response = self.get_response(request)
            self.pages[address] = response.content.decode()
        return HttpResponse(self.pages[address])
