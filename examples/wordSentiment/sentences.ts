// Sentences about films, each liked (1) or not (0). What a word is worth depends on what stands before it: "not bad" is praise.
// Not here: how they become ids (main.ts).

export interface Sentence {
  readonly text: string;
  readonly liked: 0 | 1;
}

const LIKED = `
good
very good
a good film
great
a great film
a really great story
so funny
a funny film
the story is good
the story is great
the actors are good
the actors are very funny
not bad
not bad at all
the film is not bad
the story is not boring
not boring at all
never boring
never bad
the actors are never boring
i liked it
i really liked the story
i liked the actors
not awful at all
the film is not awful
never awful`;

const DISLIKED = `
bad
very bad
a bad film
awful
an awful film
a really awful story
so boring
a boring film
the story is bad
the story is awful
the actors are bad
the actors are very boring
not good
not good at all
the film is not good
the story is not funny
not funny at all
never funny
never good
the actors are never funny
i hated it
i really hated the story
i hated the actors
not great at all
the film is not great
never great`;

/** None of them is among the others, but all their words are. */
const LIKED_UNSEEN = `
a very good story
the film is great
the actors are not bad
the story is never boring
i liked the film
a really funny film
the actors are not awful at all
so good`;

const DISLIKED_UNSEEN = `
a very bad story
the film is awful
the actors are not good
the story is never funny
i hated the film
a really boring film
the actors are not great at all
so bad`;

const read = (text: string, liked: 0 | 1): Sentence[] =>
  text
    .trim()
    .split("\n")
    .map((line) => ({ text: line, liked }));

export const training = [...read(LIKED, 1), ...read(DISLIKED, 0)];
export const heldOut = [...read(LIKED_UNSEEN, 1), ...read(DISLIKED_UNSEEN, 0)];
