import { z } from 'zod';

/** Words that authors give to tasks, to choose among them. */
export const TagsSchema = z.array(z.string().regex(/^[\w.:-]+$/, 'expected a tag such as "write"'));

/** As on Locust's command line: tasks with one of `tags`, where there are any, and with none of `excludeTags`. */
export interface TagChoice {
  tags: readonly string[];
  excludeTags: readonly string[];
}

/** The users with the tasks that are chosen. A user without any is left out. */
export function chooseTasks<T extends { tags: readonly string[] }, U extends { tasks: readonly T[] }>(
  users: readonly U[],
  choice: TagChoice,
): U[] {
  return users
    .map((user) => ({ ...user, tasks: user.tasks.filter(({ tags }) => isChosen(tags, choice)) }))
    .filter((user) => user.tasks.length > 0);
}

function isChosen(own: readonly string[], { tags, excludeTags }: TagChoice): boolean {
  const wanted = tags.length === 0 || own.some((tag) => tags.includes(tag));
  return wanted && !own.some((tag) => excludeTags.includes(tag));
}
