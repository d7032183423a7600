from django.shortcuts import render

from shop.models import Article


def articles(request):
    return render(request, "articles.html", {"articles": Article.objects.order_by("title")})
