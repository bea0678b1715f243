"""The list of stories: a function under @story(title, tried, needs) is played in the order of the files, and returns what happened."""

from collections import namedtuple

Story = namedtuple("Story", "title tried needs play")
STORIES = []


def story(title, tried, *needs):
    def keep(play):
        STORIES.append(Story(title, tried, needs, play))
        return play
    return keep
