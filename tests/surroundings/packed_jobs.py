"""The module of jobs in programs that are packed into one file."""


def square(number):
    return number * number
