"""What was ordered, and a history of it that nobody needs."""


class Order:
    def __init__(self, number):
        self.number = number
        self.notes = [f"note {number}.{each} " * 8 for each in range(5)]


def load(count):
    return [Order(number) for number in range(count)]


def history(orders):
    return {order.number: bytearray(600) for order in orders}
