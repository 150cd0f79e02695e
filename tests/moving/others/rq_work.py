"""What jobs of rq call."""


def work(x=0, y=None):
    return x


class Thing:
    def __init__(self, number):
        self.number = number

    def work(self, x):
        return self.number + x

    @classmethod
    def of_class(cls, x):
        return x


class Hostile:
    """A pickle that runs something when it is read as usual."""

    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/mainspring-hostile-rq-job",)
