"""A reference to something of a module that there isn't."""

from apscheduler.util import obj_to_ref


class Made:
    @classmethod
    def work(cls):
        pass


Made.__module__ = "made_up"
try:
    print(obj_to_ref(Made.work))
except ValueError as error:
    print("refused:", "made_up" in str(error))
