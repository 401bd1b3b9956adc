import os

import uvicorn
from fastapi import FastAPI

DATA_DIR = os.environ.get("DATA_DIR", "/data")

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))
