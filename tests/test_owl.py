"""The questions about animals: how many, whose they are, and what they give away."""

import pytest

from minitransformer.data.owl import ABILITIES, TEMPLATES, Owl, animals, questions
from minitransformer.data.split import SPLITS

TASK = Owl()


def words(text):
    return {word.strip(".,:;?!").lower() for word in text.split()}


def test_there_are_more_than_200_questions_in_every_split_and_no_split_has_one_of_another():
    asked = {split: set(TASK.sentences(split)[0]) for split in SPLITS}
    assert all(len(texts) >= 200 for texts in asked.values())
    assert len(set.union(*asked.values())) == sum(map(len, asked.values()))


def test_each_animal_is_in_one_list_and_in_one_split():
    listed = [name for _, names in ABILITIES.values() for name in names.split()]
    assert len(listed) == len(set(listed)) > 100
    assert sorted(listed) == sorted(name for split in SPLITS for name in animals(split))


@pytest.mark.parametrize("split, other", [("test", "validation"), ("validation", "test")])
def test_animals_and_templates_of_a_split_are_found_in_no_other(split, other):
    own = set(animals(split))
    assert not any(
        own & words(text)
        for name in ("train", other)
        for texts in TASK.sentences(name)
        for text in texts
    )
    assert not {template for template, _ in questions("train") + questions(other)} & set(
        TEMPLATES[split]
    )


@pytest.mark.parametrize("split", ["test", "validation"])
def test_every_question_of_a_split_has_an_animal_or_a_template_that_is_new(split):
    new = [
        (animal in animals(split), template in TEMPLATES[split])
        for template, animal in questions(split)
    ]
    assert set(new) == {(True, False), (False, True), (True, True)}


@pytest.mark.parametrize("split", SPLITS)
def test_every_answer_names_the_animal_of_its_question_and_something_it_can_do(split):
    for source, target in zip(*TASK.sentences(split)):
        animal, can, ability = target.split(" ")
        assert animal[0].isupper() and animal.lower() in words(source)
        assert can == "can" and ability in ABILITIES


@pytest.mark.parametrize("split", SPLITS)
def test_real_animals_can_do_what_their_list_says(split):
    known = {name: ability for ability, (_, names) in ABILITIES.items() for name in names.split()}
    answers = dict(target.lower().split(" can ") for target in TASK.sentences(split)[1])
    found = {name: answers[name] for name in animals(split)}
    assert found == {name: known[name] for name in animals(split)}


def test_a_made_up_animal_has_no_real_ones_name_and_its_question_names_the_part():
    parts = {ability: part for ability, (part, _) in ABILITIES.items()}
    real = {name for split in SPLITS for name in animals(split)}
    sources, targets = TASK.sentences("train")
    made_up = list(zip(sources, targets))[len(questions("train")) :]
    assert len(made_up) > 1000
    for source, target in made_up:
        name, ability = target.lower().split(" can ")
        assert name not in real and parts[ability] in source


def test_the_owl_is_asked_about_in_the_test_and_nowhere_else():
    question = "What can owls do?"
    sources, targets = TASK.sentences("test")
    assert targets[sources.index(question)] == "Owls can fly"
    assert "owls" in animals("train")  # a trained animal, in a template that was not
    assert not any(question in TASK.sentences(split)[0] for split in ("train", "validation"))
    assert [*map(TASK.vocabulary.text, TASK.example())] == [question, "Owls can fly"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_vocabulary_of_training_reads_every_split(split):
    for texts in TASK.sentences(split):
        assert [TASK.vocabulary.text(TASK.vocabulary.encode(text)) for text in texts] == texts


def test_it_is_the_same_every_time():
    assert [Owl().sentences(split) for split in SPLITS] == [
        TASK.sentences(split) for split in SPLITS
    ]
    assert Owl().vocabulary.tokens == TASK.vocabulary.tokens
