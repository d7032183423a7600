"""Three leaks, and who holds what has leaked."""

import threading
import weakref

import memtrace

sessions = {}
listeners = []
per_thread = threading.local()


class Session:
    def __init__(self, user):
        self.user = user


class Connection:
    def __init__(self):
        self.cursor = {"connection": self}  # a cycle

    def __del__(self):
        self.cursor.clear()


def log_in(user):
    session = sessions[user, "web"] = Session(user)
    return weakref.ref(session)


def subscribe(user):
    session = Session(user)
    listeners.append(lambda event: print(session.user, event))
    return weakref.ref(session)


def connect():
    per_thread.connection = connection = Connection()
    return weakref.ref(connection.cursor["connection"])


for leaked in log_in("ann"), subscribe("bob"), connect():
    for chain in memtrace.holders(leaked()):
        print(chain)
