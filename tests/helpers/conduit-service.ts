import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

interface User {
  email: string;
  username: string;
  password: string;
  token: string;
}

interface Article {
  slug: string;
  title: string;
  position: number;
  tagList: string[];
  createdAt: string;
  favoritesCount: number;
}

type Answer = [status: number, body?: object];

/** A small service with the API of RealWorld's blog. `flaw` breaks one thing. */
export function conduitService(flaw?: 'wrong-slug' | 'keeps-deleted') {
  const users: User[] = [];
  const articles = new Map<string, Article>();

  function register(given: Omit<User, 'token'>): Answer {
    if (users.some((user) => user.email === given.email || user.username === given.username)) {
      return [422, { errors: { email: ['has already been taken'] } }];
    }
    const user = { ...given, token: randomUUID() };
    users.push(user);
    return [201, { user: view(user) }];
  }

  function logIn(given: { email: string; password: string }): Answer {
    const user = users.find((one) => one.email === given.email && one.password === given.password);
    return user ? [200, { user: view(user) }] : [401, { errors: { password: ['is invalid'] } }];
  }

  function create(given: Article): Answer {
    const slug = `${given.title.toLowerCase().replaceAll(' ', '-')}-${articles.size}`;
    const article = { ...given, slug, createdAt: new Date().toISOString(), favoritesCount: 0 };
    articles.set(slug, article);
    return [201, { article }];
  }

  function aboutArticle(method: string, slug: string, rest: string | undefined, body: string): Answer {
    const article = articles.get(slug);
    if (!article) {
      return [404];
    }
    if (rest === 'comments') {
      return [201, { comment: (JSON.parse(body) as { comment: object }).comment }];
    }
    if (method === 'DELETE') {
      articles.delete(slug);
      return [flaw === 'keeps-deleted' ? 200 : 204];
    }
    return [200, { article: flaw === 'wrong-slug' ? { ...article, slug: 'other' } : article }];
  }

  function route(request: IncomingMessage, body: string): Answer {
    const { method = 'GET', url = '' } = request;
    const [path = ''] = url.split('?');
    const [, api, what, slug, rest] = path.split('/');
    const signedIn = users.some((user) => request.headers.authorization === `Token ${user.token}`);
    if (api !== 'api') {
      return [404];
    }
    if (what === 'users') {
      const { user } = JSON.parse(body) as { user: Omit<User, 'token'> };
      return slug === 'login' ? logIn(user) : register(user);
    }
    if (what === 'tags') {
      return [200, { tags: [...new Set([...articles.values()].flatMap((one) => one.tagList))] }];
    }
    if (what !== 'articles') {
      return [404];
    }
    if (method === 'GET' && slug === undefined) {
      return [200, { articles: [...articles.values()], articlesCount: articles.size }];
    }
    if (!signedIn) {
      return [401];
    }
    return slug === undefined
      ? create((JSON.parse(body) as { article: Article }).article)
      : aboutArticle(method, decodeURIComponent(slug), rest, body);
  }

  return (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const [status, answer] = route(request, body);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(answer ? JSON.stringify(answer) : undefined);
  };
}

function view({ email, username, token }: User): object {
  return { email, username, token, bio: null, image: null };
}
